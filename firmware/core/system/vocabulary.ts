// A system is several devices that are updated as one: a receiver and its transmitter, a gateway and its nodes. What can happen to it, and
// what the one that leads it can ask for. The components are known by an id only; who carries an effect out knows how to reach them.
//
// Each of these requests may be lost, delayed or repeated, and each of them may be carried out twice: they say what is to be, not what is to
// change. Reports of one component come in the order in which they were made, but any of them may be missing.

import type { Effect, TimerEffect } from "../effect.js";
import type { Booted, Event, TimerFired } from "../event.js";

export type SystemTimer = "system.tick" | "system.deadline";

/** What a component says of itself. Absent fields: no. */
export interface ComponentReport {
  /** SHA-256 in the image that runs, hex. */
  readonly image: string;
  /** The image has not passed its trial yet. */
  readonly isOnTrial?: boolean;
  /** SHA-256 in the image that is complete in the other slot, and starts at a word. */
  readonly staged?: string;
  /** It will not have this image, or could not keep it: SHA-256 in it, and why. */
  readonly refused?: { readonly image: string; readonly reason: string };
  /** What is wrong with it, whatever it runs; a sentence. */
  readonly problem?: string;
  /** It does not work together with the others, as they are now. No reason to go back before all of them run what they are to run. */
  readonly isMisfit?: boolean;
}

/** What a component is to have. */
export interface JobComponent {
  /** 1 to MAX_ID_LENGTH characters. */
  readonly id: string;
  /** SHA-256 in its new image, 64 hex digits. */
  readonly image: string;
  /** Components of step 0 start first, together; those of step 1 when they have passed their trial; at most MAX_STEP. */
  readonly step: number;
}

/** What is to become of a system. The manifest that it was made from is verified. */
export interface SystemJob {
  /** Of the system. */
  readonly version: string;
  /** `all`: all components have the new images in the end, or none; `each`: as many as can. */
  readonly rule: "all" | "each";
  /** 1 to MAX_MEMBER_COUNT. */
  readonly components: readonly JobComponent[];
  readonly rebootDelaySeconds: number;
  /** How long a component may take, after that, to answer with its new image. */
  readonly healthTimeoutSeconds: number;
  /** How long it may take until all of them have their images in their slots. */
  readonly stageTimeoutSeconds: number;
  /** The images were uploaded by a person, and are no version of the system; absent: they are. */
  readonly isUploaded?: true;
  /** It ends well even if the components do not work together; absent: then all go back. */
  readonly mayMisfit?: true;
}

export type SystemEvent =
  | { readonly type: "systemOffered"; readonly job: SystemJob }
  | { readonly type: "componentReported"; readonly id: string; readonly report: ComponentReport }
  /** The owner wants it back as it was. */
  | { readonly type: "systemCancelled"; readonly reason: string }
  /** No job is under way, and these components run these images, validated: they go back to those before, the one of the last step first. */
  | {
      readonly type: "systemReverted";
      readonly version: string;
      readonly components: readonly JobComponent[];
      readonly reason: string;
      readonly isUploaded?: true;
    }
  /** The owner does without this component: it is gone, or will never answer. */
  | { readonly type: "componentRemoved"; readonly id: string };

export type SystemInput =
  | Booted
  | TimerFired<SystemTimer>
  | Extract<Event, { readonly type: "saved" | "saveFailed" }>
  | SystemEvent;

/** What one component is asked for; answered, some time, by `componentReported`. */
export type ComponentRequest =
  | { readonly type: "askComponent"; readonly id: string }
  /** Has the image fetched, verified and kept in its slot, without starting it. */
  | { readonly type: "stageComponent"; readonly id: string; readonly image: string }
  /** Starts the image if it is the one that is staged. */
  | { readonly type: "commitComponent"; readonly id: string; readonly image: string }
  /** Drops the image if it is staged, or on its way. */
  | { readonly type: "abandonComponent"; readonly id: string; readonly image: string }
  /** If this image runs, on trial or after it: back to the one before. */
  | { readonly type: "rollBackComponent"; readonly id: string; readonly image: string };

export interface SystemRaise {
  readonly type: "raise";
  readonly event: /** For the leader's own core, and first after a boot: while a job lasts, the other slot of every member is the way back. */
    | Extract<Event, { readonly type: "installationsHeld" | "installationsFreed" }>
    /** A job has begun or got to another phase; absent: there is none any more. */
    | { readonly type: "systemProgressed"; readonly version: string; readonly phase?: string }
    | { readonly type: "systemRefused"; readonly version: string; readonly reason: string }
    /** All components have the new images. `each`: those that are not named. */
    | { readonly type: "systemFinished"; readonly version: string; readonly without: readonly string[] }
    /** All components have what they had. */
    | { readonly type: "systemFailed"; readonly version: string; readonly reason: string };
}

export type SystemEffect =
  | ComponentRequest
  | SystemRaise
  | TimerEffect<SystemTimer>
  | Extract<Effect, { readonly type: "save" | "log" }>;
