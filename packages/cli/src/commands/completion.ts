import { command } from '../command.ts';
export const completion = command({ summary: 'todo', run: async () => undefined });
