/** `Life=` of a transform: its lifetime sections. */
import type { Lifetime } from '../policy/peer-policy.ts';
import { readTag, requireTag } from './read-tag.ts';
import type { ConfigurationReader } from './reader.ts';
import type { Tag } from './schema.ts';
import { LIFETIME } from './sections.ts';

/** Empty where the transform says nothing or ANY: nothing is offered and everything accepted. */
export const resolveLifetimes = (
  reader: ConfigurationReader,
  transform: string,
  row: Tag<readonly string[]>,
): readonly Lifetime[] => {
  const names = readTag(reader, transform, row);
  if (names.includes('ANY')) return [];
  return names.map((name) => ({
    type: requireTag(reader, name, LIFETIME.type),
    duration: requireTag(reader, name, LIFETIME.duration),
  }));
};
