/**
 * What is made once for all who ask until it is there, and anew for whoever asks after he has
 * it: for answers that anybody may ask for, however often and at once.
 */
export function oneForAll<T>(make: () => Promise<T>): () => Promise<T> {
  let making: Promise<T> | undefined;
  return () => {
    // Answers leave at the end of the turn (leaveTogether): it is forgotten before one is read.
    making ??= make().finally(() => setImmediate(() => (making = undefined)));
    return making;
  };
}
