export * from './codes.ts';
export * from './exits.ts';
export * from './text.ts';
export * from './units.ts';
