/** What the grammar makes of a field: operators and operands without types. `at` is an offset into the text of the field. */

export type Tree =
  | { readonly kind: 'string'; readonly text: string; readonly at: number }
  | { readonly kind: 'name'; readonly name: string; readonly at: number }
  | { readonly kind: 'integer' | 'float'; readonly digits: string; readonly at: number }
  /** `operators` as they are written: the last one is applied first. */
  | { readonly kind: 'prefix'; readonly operators: readonly string[]; readonly of: Tree; readonly at: number }
  | {
      readonly kind: 'or' | 'and' | 'arithmetic';
      readonly first: Tree;
      readonly rest: readonly TreeLink[];
      readonly at: number;
    }
  | {
      readonly kind: 'relation';
      readonly operator: RelationSign;
      readonly left: Tree;
      readonly right: Tree;
      readonly at: number;
    }
  | { readonly kind: 'threshold'; readonly needed: string; readonly of: readonly Tree[]; readonly at: number };

export interface TreeLink {
  readonly operator: string;
  readonly operand: Tree;
}

export type RelationSign = '==' | '!=' | '<=' | '>=' | '~=' | '<' | '>';

export interface TreeClause {
  readonly at: number;
  readonly test: Tree;
  /** Null where the clause has no arrow. */
  readonly value: Tree | TreeProgram | null;
}

export interface TreeProgram {
  readonly kind: 'program';
  readonly clauses: readonly TreeClause[];
}

export interface TreeConstant {
  readonly name: string;
  /** As written between the quotes. */
  readonly text: string;
  readonly at: number;
}
