/**
 * Exit codes of `sft`, `sft-admin` and `posternd`: a tested contract.
 * Numbers from sysexits(3) where it has one. Besides these, `sft ssh` passes on the
 * remote command's own status, and 128+n when signal n killed it.
 */
export const EXIT = {
  ok: 0,
  /** Wrong flags, arguments or input files. */
  usage: 64,
  /** The service cannot be reached, or says that it cannot serve now. */
  unavailable: 69,
  /** A bug in Postern. */
  bug: 70,
  /** Waiting for approval; also when `--wait` ran out. */
  waiting: 75,
  /** Denied, canceled, expired, revoked, or no such access. */
  refused: 77,
  /** Configuration, or not logged in. */
  config: 78,
  /** Ctrl-C. */
  interrupted: 130,
  /** SSH transport; also a session that was cut. */
  transport: 255,
} as const;

export type Exit = (typeof EXIT)[keyof typeof EXIT];
