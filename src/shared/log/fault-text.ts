/** What a log line says of something that was thrown and should not have been. */

/** Name, message and the place it came from. Errors never hold key material. */
export const faultText = (fault: unknown): string => {
  if (!(fault instanceof Error)) return String(fault);
  const place = fault.stack?.split('\n').find((line) => line.startsWith('    at ')) ?? '';
  return `${fault.name}: ${fault.message} ${place.trim()}`.trim();
};
