/**
 * Those that stand at the top of every list of passwords that were stolen, and are long enough
 * to be set here; in small letters, and without what is put behind a word to please a rule
 * (digits, `!`, `.`): {@link isCommon} takes that off. NIST SP 800-63B, 3.1.1.2.
 */
const WORDS = [
  'abcdefghijkl',
  'abcdefghijklm',
  'adminadminadmin',
  'administrator',
  'asdfghjklasdfghjkl',
  'asdfghjklqwertyuiop',
  'asdfghjklzxcvbnm',
  'basketball',
  'changeme',
  'changemechangeme',
  'changemenow',
  'changeme please',
  'charliecharlie',
  'correct horse battery staple',
  'correcthorsebatterystaple',
  'dragondragon',
  'footballfootball',
  'helloworld',
  'hello world',
  'iloveyouforever',
  'iloveyoubaby',
  'iloveyousomuch',
  'iloveyou',
  'jordanjordan',
  'letmeinletmein',
  'letmein',
  'manchesterunited',
  'michaeljackson',
  'mypassword',
  'onetwothreefour',
  'p@ssw0rd',
  'p@ssword',
  'passw0rd',
  'password',
  'passwordpassword',
  'passphrase',
  'princessprincess',
  'qazwsxedc',
  'qazwsxedcrfv',
  'qazwsxedcrfvtgb',
  'qwerty',
  'qwertyqwerty',
  'qwertyuiop',
  'qwertyuiopasdfgh',
  'qwertyuiopasdfghjkl',
  'secretsecret',
  'sunshinesunshine',
  'superman',
  'thisismypassword',
  'trustno',
  'welcome',
  'welcometothejungle',
  'zaq12wsxcde34rfv',
  'zaq!2wsx',
  'zxcvbnmasdfghjkl',
  'zxcvbnmzxcvbnm',
  'q1w2e3r4t5y6',
  '1q2w3e4r5t6y',
  '1qaz2wsx3edc',
  '1qaz2wsx3edc4rfv',
  '1234qwerasdf',
  '1234qwerasdfzxcv',
  'q1w2e3r4t5y6u7i8',
  '1q2w3e4r5t6y7u8i',
  'abc123abc123',
  'a1b2c3d4e5f6',
  'aa123456789',
] as const;
const COMMON: ReadonlySet<string> = new Set(WORDS);

/** Fewer different characters than this are a pattern, however long. */
const MIN_DIFFERENT = 5;

/** Whether it is among the first that somebody would try. */
export function isCommon(password: string): boolean {
  const text = password.toLowerCase();
  if (new Set(text).size < MIN_DIFFERENT || isRun(text)) return true;
  return COMMON.has(text) || COMMON.has(text.replace(/[\d!.?*#$@_-]+$/, ''));
}

/** Each character follows the one before it: 123456789012, abcdefghijkl, 987654321098. */
function isRun(text: string): boolean {
  const codes = [...text].map((c) => c.codePointAt(0) as number);
  const steps = codes.slice(1).map((code, i) => code - (codes[i] as number));
  return steps.every((s) => s === 1 || s === -9) || steps.every((s) => s === -1 || s === 9);
}
