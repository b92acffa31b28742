import type { Api } from './api/client.ts';
import type { World } from './context.ts';
import type { View } from './render/view.ts';
import type { GlobalFlags } from './settings.ts';

export interface ArgSpec {
  readonly summary: string;
  readonly optional?: true;
  /** All further arguments; only the last one. */
  readonly rest?: true;
}

export interface FlagSpec {
  readonly summary: string;
  readonly short?: string;
  /** The name of its value in the help; without one it is a switch. */
  readonly value?: string;
  /** May be given several times. */
  readonly many?: true;
  readonly choices?: readonly string[];
}

type Args = Readonly<Record<string, ArgSpec>>;
type Flags = Readonly<Record<string, FlagSpec>>;

type ArgValue<A extends ArgSpec> = A extends { rest: true }
  ? readonly string[]
  : A extends { optional: true }
    ? string | undefined
    : string;
type FlagValue<F extends FlagSpec> = F extends { value: string }
  ? F extends { many: true }
    ? readonly string[]
    : string | undefined
  : boolean;

/** What a handler gets: its arguments, the world, and the service when it asks for it. */
export interface Ctx<A extends Args = Args, F extends Flags = Flags> {
  readonly program: Program;
  readonly world: World;
  readonly args: { readonly [K in keyof A]: ArgValue<A[K]> };
  readonly flags: { readonly [K in keyof F]: FlagValue<F[K]> };
  readonly globals: GlobalFlags & { readonly output: string };
  /** Reads the settings at the first call. */
  api(): Promise<Api>;
  /** A line for the person, on stderr; printable. */
  say(line: string): void;
}

/** An end without data, with a status that is not ours to choose. */
export class Ended {
  readonly exit: number;
  constructor(exit: number) {
    this.exit = exit;
  }
}

export interface Command<A extends Args = Args, F extends Flags = Flags, T = unknown> {
  /** One line, without a full stop. */
  readonly summary: string;
  /** More lines, for `--help`. */
  readonly help?: string;
  readonly args?: A;
  readonly flags?: F;
  /** How its data is shown to people; left out, it has none. */
  readonly view?: View<T>;
  run(ctx: Ctx<A, F>): Promise<T | Ended>;
}

/** Infers what the handler gets from what the command declares. */
export const command = <const A extends Args, const F extends Flags, T>(
  definition: Command<A, F, T>,
): Command => definition as unknown as Command;

/** The commands of one program by what is typed for them, each loaded when it is needed. */
export interface Program {
  readonly name: 'sft' | 'sft-admin';
  readonly summary: string;
  readonly commands: Readonly<Record<string, () => Promise<Command>>>;
}
