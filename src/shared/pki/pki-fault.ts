/** What `isakmpd pki` cannot do: one line that says what, where and what would be right. */
export class PkiFault extends Error {
  override readonly name = 'PkiFault';
}
