/** node-forge's types describe the whole package only; its ASN.1 part is loaded alone, which takes a fifth of the time. */
declare module 'node-forge/lib/asn1.js' {
  interface Asn1Node {
    /** The two upper bits of the identifier octet. */
    readonly tagClass: number;
    /** The five lower bits. */
    readonly type: number;
    readonly constructed: boolean;
    /** A primitive's content, a character a byte; or what a constructed element holds. */
    readonly value: string | readonly Asn1Node[];
  }
  interface Asn1Options {
    readonly strict: boolean;
    readonly parseAllBytes: boolean;
    readonly decodeBitStrings: boolean;
    readonly maxDepth: number;
  }
  const asn1: {
    fromDer(bytes: string, options: Asn1Options): Asn1Node;
    toDer(node: Asn1Node): { getBytes(): string };
    create(tagClass: number, type: number, constructed: boolean, value: string | readonly Asn1Node[]): Asn1Node;
  };
  export = asn1;
}
