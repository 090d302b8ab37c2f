/** Names in isakmpd.conf are the same in upper and lower case. */

/** The form in which two names are equal. ASCII letters only, so that no two names of other scripts fall together. */
export const fold = (name: string): string =>
  ASCII.test(name) ? name.toLowerCase() : name.replace(UPPER_CASE, (letters) => letters.toLowerCase());

/** For these the built-in does the work. */
const ASCII = /^[\0-\x7f]*$/;
const UPPER_CASE = /[A-Z]+/g;
