import { type SerializerFactory, SerializerSelector } from '@fastify/fast-json-stringify-compiler';

/**
 * Fastify's own way to write answers, each schema compiled when it is first used: for the
 * service's start, as it is for what is read (useStrictValidation).
 */
export const serializersAtFirstUse: SerializerFactory = (schemas, options) => {
  const compileFor = SerializerSelector()(schemas, options);
  return (route) => {
    let compiled: ReturnType<typeof compileFor> | undefined;
    return (answer) => {
      compiled ??= compileFor(route);
      return compiled(answer);
    };
  };
};
