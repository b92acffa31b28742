// ssh2 is CommonJS in a form whose names Node does not see: they come from the default. The
// bundle holds only its client (scripts/bundle.ts).
import ssh2 from 'ssh2';

export const { Client } = ssh2;
