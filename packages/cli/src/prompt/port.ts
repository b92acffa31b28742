export interface Question {
  readonly message: string;
  /** @returns why an answer will not do; undefined when it will. */
  check(answer: string): string | undefined;
}

/**
 * Asks the person, on stderr. Only called when there is a terminal.
 * @throws Failure 130 on Ctrl-C.
 */
export interface PromptPort {
  text(question: Question): Promise<string>;
  /** Anything but a yes is a no. */
  confirm(message: string): Promise<boolean>;
}
