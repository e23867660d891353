// Who may register, and the tokens that let new devices in, as clients see them.

import { time } from "../shared/iso-time.js";
import type { EnrolmentToken, RegistrationPolicy } from "../store/store.js";

export const viewPolicy = ({ deviceType, registration, tokens }: RegistrationPolicy) => ({
  device_type: deviceType,
  registration,
  tokens,
});

export const viewEnrolment = (token: EnrolmentToken) => ({
  id: token.id,
  name: token.name,
  device_type: token.deviceType,
  max_use_count: token.maxUseCount,
  use_count: token.useCount,
  created_at: time(token.createdAt),
  expires_at: token.expiresAt === null ? null : time(token.expiresAt),
  revoked_at: token.revokedAt === null ? null : time(token.revokedAt),
});

export type PolicyView = ReturnType<typeof viewPolicy>;
export type EnrolmentView = ReturnType<typeof viewEnrolment>;
