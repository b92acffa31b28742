const SWEEP_MS = 60_000;

/**
 * Runs `round` at once, for what came due while no service ran, and then every minute: it
 * finishes what a lost job left. Rounds never overlap; `stop` waits for the one that runs.
 */
export function startSweep(
  { onError }: { readonly onError: (error: unknown) => void },
  round: () => Promise<void>,
): { stop(): Promise<void> } {
  let running = Promise.resolve();
  const next = (): void => {
    running = running.then(() => round().catch(onError));
  };
  next();
  const timer = setInterval(next, SWEEP_MS);
  timer.unref();
  return {
    stop: async () => {
      clearInterval(timer);
      await running;
    },
  };
}

/** Whether the clock may be trusted with what is done by time. */
export function isSafe(clock: { assertSafe(): void }): boolean {
  try {
    clock.assertSafe();
    return true;
  } catch {
    return false;
  }
}
