// ssh2 is CommonJS in a form whose names Node does not see: they come from the default.
import ssh2 from 'ssh2';

export const { Client, Server, utils } = ssh2;
