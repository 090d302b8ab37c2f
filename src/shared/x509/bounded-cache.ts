/** A map that forgets the least recently used entry when it is full: what peers fill must have an end (CVE-2021-41991). */
export interface BoundedCache<Value> {
  readonly get: (key: string) => Value | undefined;
  readonly set: (key: string, value: Value) => void;
  readonly size: () => number;
}

export const boundedCache = <Value>(capacity: number): BoundedCache<Value> => {
  const entries = new Map<string, Value>();
  const set = (key: string, value: Value): void => {
    // A Map remembers the order of insertion: taken out and put back, an entry is the youngest again.
    entries.delete(key);
    entries.set(key, value);
    if (entries.size <= capacity) return;
    for (const oldest of entries.keys()) {
      entries.delete(oldest);
      return;
    }
  };
  const get = (key: string): Value | undefined => {
    const value = entries.get(key);
    if (value !== undefined) set(key, value);
    return value;
  };
  return { get, set, size: () => entries.size };
};
