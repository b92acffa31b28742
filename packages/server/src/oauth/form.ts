export interface DeviceForm {
  readonly csrf: string;
  readonly user_code: string;
  readonly answer: 'allow' | 'deny';
}

/** Reads what the page's form sends; undefined for anything else, a field twice included. */
export function readDeviceForm(text: string): DeviceForm | undefined {
  const fields = new URLSearchParams(text);
  if (['csrf', 'user_code', 'answer'].some((name) => fields.getAll(name).length !== 1))
    return undefined;
  const answer = fields.get('answer');
  if (answer !== 'allow' && answer !== 'deny') return undefined;
  return { csrf: fields.get('csrf') ?? '', user_code: fields.get('user_code') ?? '', answer };
}
