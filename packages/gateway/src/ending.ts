import type { EndReason } from '@postern/shared';
import { TargetFailure } from './target-failure.ts';

/** Why a session is ended. */
export interface Ending {
  readonly reason: EndReason;
  /** For the person, without prefix: what, and perhaps what to do. None: nobody is told. */
  readonly lines?: readonly string[];
  /** For the record. */
  readonly detail?: string;
}

export const TARGET_CLOSED: Ending = {
  reason: 'target_closed',
  lines: ['the server closed the connection'],
};

export function targetFailed(error: unknown): Ending {
  const failure = error instanceof TargetFailure ? error : undefined;
  const lines = [failure?.message ?? 'the gateway failed', failure?.next ?? ''];
  return {
    reason: failure?.reason ?? 'target_unreachable',
    lines: lines.filter((line) => line !== ''),
    detail: failure?.message ?? String(error),
  };
}

export function recordingFailed(error: unknown): Ending {
  const { code } = error as { code?: string };
  return {
    reason: 'recording_failed',
    lines: ['it cannot be recorded; tell an admin of the gateway'],
    detail: `recording: ${code ?? String(error)}`,
  };
}
