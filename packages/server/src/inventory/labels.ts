import { isLabelKey, isLabelValue, isSystemLabelKey } from '@postern/shared';
import type { FieldError } from '../platform/errors.ts';

/** What a server is, as far as labels tell it. */
interface Labelled {
  readonly hostname: string;
  readonly os_type: string;
  readonly project_name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** The labels that are stored: those people wrote, and those that follow from what the server is. */
export const allLabels = (server: Labelled): Record<string, string> => ({
  ...server.labels,
  'system.os_type': server.os_type,
  'system.hostname': server.hostname,
  'system.project': server.project_name,
});

/** The labels people wrote, out of those that are stored. */
export const ownLabels = (labels: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => !isSystemLabelKey(key)));

/** A fault for each label that nobody may write, or that no selector could name. */
export function labelFaults(
  labels: Readonly<Record<string, string>>,
  pointer: string,
): FieldError[] {
  return Object.entries(labels).flatMap(([key, value]) => {
    const at = `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (isSystemLabelKey(key.toLowerCase()))
      return [{ pointer: at, code: 'system_label', detail: 'system labels are not written' }];
    if (!isLabelKey(key))
      return [{ pointer: at, code: 'label_key', detail: 'is not usable as the key of a label' }];
    if (!isLabelValue(value))
      return [{ pointer: at, code: 'label_value', detail: 'has a value that no label can have' }];
    return [];
  });
}
