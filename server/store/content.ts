// What the store remembers of pictures for panels, and of who is to show which of them when. The pictures themselves lie in the
// blob store.

import type { Windows } from "../shared/rollout.js";
import type { Page, Paged } from "./page.js";

/** A picture for a panel: binary PBM. */
export interface ContentImage {
  readonly id: number;
  /** For people; two pictures may have the same. */
  readonly name: string;
  /** Pixels. */
  readonly width: number;
  readonly height: number;
  /** SHA-256 of the PBM. */
  readonly hash: string;
  readonly sizeBytes: number;
  readonly createdBy: string;
  readonly createdAt: number;
}
export type NewContentImage = Omit<ContentImage, "id">;

/** Whom an assignment is about, from the most to the least specific. `default`: every panel. */
export const CONTENT_TARGETS = Object.freeze(["device", "group", "type", "default"] as const);
export type ContentTargetKind = (typeof CONTENT_TARGETS)[number];

export interface ContentTarget {
  readonly kind: ContentTargetKind;
  /** Device id, group or device type; empty for `default`. */
  readonly name: string;
}

export interface ContentAssignment {
  readonly id: number;
  readonly imageId: number;
  readonly target: ContentTarget;
  /** From this time on; `null`: from its creation. */
  readonly from: number | null;
  /** Up to, not including, this time; `null`: for good. */
  readonly until: number | null;
  /** Times of the week; `null`: always. */
  readonly windows: Windows | null;
  readonly createdBy: string;
  readonly createdAt: number;
}
export type NewContentAssignment = Omit<ContentAssignment, "id">;

/** What is known of a device by which pictures are assigned. */
export interface ContentAudience {
  readonly deviceId: string;
  readonly type: string | undefined;
  readonly group: string | null;
}

/** Which pictures and assignments somebody sees who is bound to some device types. */
export interface ContentSight {
  /** What is assigned to these, or to devices of them. */
  readonly deviceTypes: readonly string[];
  /** And the pictures that they have uploaded. */
  readonly createdBy: string;
}

export interface ContentStore {
  addContentImage(image: NewContentImage): Promise<ContentImage>;
  findContentImage(id: number): Promise<ContentImage | undefined>;
  /** The newest one whose SHA-256 begins so. */
  findContentImageByHash(start: string): Promise<ContentImage | undefined>;
  /** Newest first. */
  listContentImages(page: Page, sight?: ContentSight): Promise<Paged<ContentImage>>;
  maySeeContentImage(id: number, sight: ContentSight): Promise<boolean>;
  /** Only one that nothing assigns. Whether it was there. */
  removeContentImage(id: number): Promise<boolean>;
  addContentAssignment(assignment: NewContentAssignment): Promise<ContentAssignment>;
  findContentAssignment(id: number): Promise<ContentAssignment | undefined>;
  /** Newest first. */
  listContentAssignments(
    filter: {
      readonly imageId?: number;
      readonly target?: ContentTarget;
      readonly deviceTypes?: readonly string[];
    },
    page: Page,
  ): Promise<Paged<ContentAssignment>>;
  /** Every assignment that is about this device, whatever the time, in no order. */
  findContentAssignmentsFor(audience: ContentAudience): Promise<readonly ContentAssignment[]>;
  /** Whether it was there. */
  removeContentAssignment(id: number): Promise<boolean>;
}
