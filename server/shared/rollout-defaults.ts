// What a rollout has where its request says nothing: for the API, its description, the form and the command line. In the API's words.

export const GATE_DEFAULTS = Object.freeze({
  max_failed_fraction: 0.1,
  max_rolled_back_fraction: 0.05,
  max_silent_fraction: 0.2,
  silent_seconds: 3600,
  min_samples: 5,
});

export const STAGE_DEFAULTS = Object.freeze({
  soak_seconds: 3600,
  min_validated: 1,
  min_validated_fraction: 0.9,
});

export const ROLLOUT_DEFAULTS = Object.freeze({
  lease_seconds: 1800,
  priority: 0,
  force: "none" as const,
  needs_approval: false,
});
