/** Names in isakmpd.conf are the same in upper and lower case. */

/** The form in which two names are equal. ASCII letters only, so that no two names of other scripts fall together. */
export const fold = (name: string): string => {
  const lower = name.toLowerCase();
  // Most names are in lower case already, and the same text again costs no memory and no second hash.
  if (lower === name) return name;
  return ASCII.test(name) ? lower : name.replace(UPPER_CASE, (letters) => letters.toLowerCase());
};

const ASCII = /^[\0-\x7f]*$/;
const UPPER_CASE = /[A-Z]+/g;
