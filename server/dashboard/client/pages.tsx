// The component for each page of ../paths.ts. The compiler requires an entry for every page.

import type { ComponentType } from "preact";
import type { PagePath } from "../paths.js";
import { useMay } from "./actor.js";
import { ContentAdmin } from "./content/content-admin.js";
import { type ContentPageProps, Upload } from "./content/upload.js";
import type { PageProps } from "./page-props.js";
import { Audit } from "./pages/audit.js";
import { Dashboard } from "./pages/dashboard.js";
import { DevicePage } from "./pages/device.js";
import { Devices } from "./pages/devices.js";
import { EditRollout } from "./pages/edit-rollout.js";
import { NewRollout } from "./pages/new-rollout.js";
import { OtaManagement } from "./pages/ota-management.js";
import { RolloutPage } from "./pages/rollout.js";
import { Settings } from "./pages/settings.js";

/** The pages about panels are independent of the others. */
function forContent(View: ComponentType<ContentPageProps>): ComponentType<PageProps> {
  return () => <View mayChange={useMay("content:write")} />;
}

export const VIEWS: Readonly<Record<PagePath, ComponentType<PageProps>>> = Object.freeze({
  "/": Dashboard,
  "/ota-management": OtaManagement,
  "/ota-management/rollouts/new": NewRollout,
  "/ota-management/rollouts/:id/edit": EditRollout,
  "/ota-management/rollouts/:id": RolloutPage,
  "/devices": Devices,
  "/devices/:id": DevicePage,
  "/content-admin": forContent(ContentAdmin),
  "/upload": forContent(Upload),
  "/audit": Audit,
  "/settings": Settings,
});
