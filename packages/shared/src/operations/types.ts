import type { Static, TSchema } from 'typebox';
import type { OperationId, operations } from './index.ts';

type Op<K extends OperationId> = (typeof operations)[K];
type StaticOf<T> = T extends TSchema ? Static<T> : undefined;

/** The types of an operation's parts, `undefined` where it has none. */
export type Body<K extends OperationId> = Op<K> extends { body: infer B } ? StaticOf<B> : undefined;
export type Query<K extends OperationId> =
  Op<K> extends { query: infer Q } ? StaticOf<Q> : undefined;
/** Path parameters besides the team. */
export type Params<K extends OperationId> =
  Op<K> extends { params: infer P } ? Omit<StaticOf<P> & object, 'team'> : undefined;
type OkOf<K extends OperationId> = Op<K>['ok'];
export type Answer<K extends OperationId> = StaticOf<OkOf<K>[keyof OkOf<K>]>;
