/** What the parser made of grammar.peggy answers. The parser itself is built beside the compiled sources (docs/adr/0010). */
import type { Tree, TreeClause, TreeConstant } from './syntax-tree.ts';

export declare function parse(text: string, options: { readonly startRule: 'Conditions' }): readonly TreeClause[];
export declare function parse(text: string, options: { readonly startRule: 'Licensees' }): Tree | null;
export declare function parse(text: string, options: { readonly startRule: 'Principal' }): Tree;
export declare function parse(text: string, options: { readonly startRule: 'Constants' }): readonly TreeConstant[];
export declare function parse(text: string, options: { readonly startRule: 'Version' }): string;

/** Thrown by `parse`, and nothing else is. */
declare class GrammarError extends Error {
  readonly location: { readonly start: { readonly offset: number } };
  readonly found: string | null;
}

export { GrammarError as SyntaxError };
