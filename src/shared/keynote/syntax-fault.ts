/** Text that is no KeyNote assertion. Thrown inside this folder only: its callers get faults as values. */
export class SyntaxFault extends Error {
  override readonly name = 'SyntaxFault';
  /** In the text that was handed in, from 1. */
  readonly line: number;
  constructor(line: number, message: string) {
    super(message);
    this.line = line;
  }
}
