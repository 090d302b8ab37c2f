/** Counts how often bytes are looked at, so that tests can hold parsing to linear cost without a clock. */

let steps = 0;

/**
 * What `work` answers, and how many reads of a DataView and views of a byte array it made. Replaces the prototypes' methods
 * meanwhile, so `work` must be synchronous.
 */
export const counted = <T>(work: () => T): { readonly value: T; readonly steps: number } => {
  const { getUint8, getUint16, getUint32 } = DataView.prototype;
  const { subarray } = Uint8Array.prototype;
  steps = 0;
  DataView.prototype.getUint8 = function (at) {
    steps += 1;
    return getUint8.call(this, at);
  };
  DataView.prototype.getUint16 = function (at, littleEndian) {
    steps += 1;
    return getUint16.call(this, at, littleEndian);
  };
  DataView.prototype.getUint32 = function (at, littleEndian) {
    steps += 1;
    return getUint32.call(this, at, littleEndian);
  };
  Uint8Array.prototype.subarray = function (start, end) {
    steps += 1;
    return subarray.call(this, start, end);
  };
  try {
    return { value: work(), steps };
  } finally {
    Object.assign(DataView.prototype, { getUint8, getUint16, getUint32 });
    Uint8Array.prototype.subarray = subarray;
  }
};
