/** What decided a query, in words for the log. Principals are never quoted: among them are passphrases. */
import type { Assertion } from './assertion.ts';
import type { ClauseOutcome, ConditionsOutcome } from './conditions.ts';
import type { Considered } from './delegation.ts';
import type { Environment } from './environment.ts';
import { attributesOf, quoted, relationText } from './expression-text.ts';
import { POLICY } from './principals.ts';

/** A query that has been evaluated, or has come to its end before. */
export interface Evaluated {
  readonly considered: readonly Considered[];
  readonly credentials: readonly Assertion[];
  /** Whether the policy has an assertion by POLICY. */
  readonly hasRoot: boolean;
  readonly environment: Environment;
}

/** One sentence: why the query has this value. `excess`: what was too much for it. */
export const decisionText = (evaluated: Evaluated, value: string, excess: string | undefined): string => {
  if (excess !== undefined) return `${quoted(value)}: ${excess}`;
  const { considered, environment } = evaluated;
  const index = environment.values.indexOf(value);
  const granting = considered.find((one) => one.authorizer === POLICY && index > 0 && one.value === index);
  const text = granting === undefined ? refusalText(evaluated) : assertionText(granting, evaluated);
  return `${quoted(value)}: ${text}`;
};

export const traceTexts = (evaluated: Evaluated): readonly string[] =>
  evaluated.considered.slice(0, MOST_LINES).map((one) => assertionText(one, evaluated));

/** What should be better about the signatures that counted. */
export const weaknesses = ({ considered, credentials }: Evaluated): readonly string[] =>
  considered.flatMap(({ assertion, signature }) =>
    signature?.kind === 'valid' && signature.weakness !== undefined
      ? [`${placeOf(assertion, credentials)} is ${signature.weakness}`]
      : [],
  );

/** Only assertions that license who asks, directly or through others, can be what a refusal is about. */
const refusalText = (evaluated: Evaluated): string => {
  const { considered } = evaluated;
  if (!evaluated.hasRoot) return 'no assertion of the policy has the authorizer "POLICY"';
  const telling = considered.filter(({ licensees, value }) => licensees > 0 && value === 0);
  if (telling.length > 0) return joined(telling, evaluated);
  if (considered.length === 0) return 'nothing licenses who asks';
  const isLed = considered.some(({ authorizer }) => authorizer === POLICY);
  const why = isLed ? 'what licenses who asks is not enough' : 'the policy licenses nobody who licenses who asks';
  return `${why}: ${joined(considered, evaluated)}`;
};

const joined = (considered: readonly Considered[], evaluated: Evaluated): string =>
  considered
    .slice(0, MOST_REASONS)
    .map((one) => assertionText(one, evaluated))
    .join('; ');

const assertionText = (considered: Considered, evaluated: Evaluated): string => {
  const { assertion, signature, conditions, licensees, value } = considered;
  const place = placeOf(assertion, evaluated.credentials);
  if (signature?.kind === 'refused') return `${place} does not count: ${signature.reason}`;
  const named = (index: number): string => quoted(evaluated.environment.values[index] ?? '');
  const licensed = assertion.licensees === undefined ? 'it licenses anybody' : `its licensees have ${named(licensees)}`;
  const asked = conditions === undefined ? '' : `, ${conditionsText(assertion, conditions, evaluated.environment)}`;
  return `${place} gives ${named(value)}: ${licensed}${asked}`;
};

const placeOf = (assertion: Assertion, credentials: readonly Assertion[]): string => {
  const number = credentials.indexOf(assertion) + 1;
  if (number === 0) return `the assertion at line ${assertion.line} of the policy`;
  return assertion.isLocal ? 'what a certificate says' : `credential ${number}`;
};

const conditionsText = (
  { conditions, constants }: Assertion,
  { value, clauses }: ConditionsOutcome,
  environment: Environment,
): string => {
  if (conditions === undefined) return 'it has no conditions';
  if (conditions.length === 0) return 'its conditions are empty';
  const texts = clauses.map((outcome) =>
    outcome.holds && value === 0
      ? `${clauseText(outcome, constants, environment)}, but gives no higher value of this query`
      : clauseText(outcome, constants, environment),
  );
  return `its conditions give ${quoted(environment.values[value] ?? '')} (${texts.join('; ')})`;
};

const clauseText = (
  { clause, holds, decisive, fault }: ClauseOutcome,
  constants: ReadonlyMap<string, string>,
  environment: Environment,
): string => {
  const place = `line ${decisive?.line ?? clause.line}: the clause`;
  const relation = decisive === undefined ? '' : relationText(decisive);
  if (fault !== undefined) return `${place} fails because ${relation} has no value: ${fault}`;
  const names = decisive === undefined ? [] : [...attributesOf(decisive)];
  const told = names.flatMap((name) => {
    const known = constants.has(name) ? undefined : environment.told(name);
    return known === undefined ? [] : [`${name} is ${quoted(known)}`];
  });
  const decided = decisive === undefined ? '' : ` ${holds ? 'by' : 'at'} ${relation}`;
  return [`${place} ${holds ? 'holds' : 'fails'}${decided}`, ...told.slice(0, MOST_ATTRIBUTES)].join(', ');
};

const MOST_LINES = 32;
const MOST_REASONS = 3;
const MOST_ATTRIBUTES = 4;
