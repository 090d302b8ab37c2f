/** A KeyNote query in one call. */
import { parseAssertions, parseCredentials } from '../../src/shared/keynote/assertion.ts';
import { createPolicy } from '../../src/shared/keynote/policy.ts';
import { type QueryResult, query, rememberSignatures } from '../../src/shared/keynote/query.ts';

export interface Question {
  /** Local ones. One that cannot be read does not count. */
  readonly assertions: readonly string[];
  readonly credentials?: readonly string[];
  readonly authorizers: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Attributes whose values are not known yet. */
  readonly unknown?: readonly string[];
  /** Default: false, true. */
  readonly values?: readonly string[];
  readonly steps?: number;
  /** Credentials from the operator's own files: MD5, DSA and short keys count. */
  readonly trustsWeakSignatures?: boolean;
}

export const ask = (question: Question): QueryResult => {
  const attributes = new Map(Object.entries(question.environment ?? {}));
  return query({
    policy: createPolicy(question.assertions.flatMap((text) => parseAssertions(text).assertions)),
    credentials: (question.credentials ?? []).flatMap(
      (text) => parseCredentials(Buffer.from(text, 'latin1')).assertions,
    ),
    authorizers: question.authorizers,
    attributes: (name) => (question.unknown?.includes(name) === true ? undefined : (attributes.get(name) ?? '')),
    values: question.values ?? ['false', 'true'],
    checkSignature: rememberSignatures(question.trustsWeakSignatures ?? false),
    ...(question.steps === undefined ? {} : { steps: question.steps }),
  });
};

/** Whether the test holds for these attributes. */
export const holds = (condition: string, environment: Readonly<Record<string, string>> = {}): boolean =>
  ask({ assertions: [`Authorizer: "POLICY"\nConditions: ${condition};\n`], authorizers: ['K'], environment }).value ===
  'true';
