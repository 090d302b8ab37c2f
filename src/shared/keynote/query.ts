/** The compliance value of a request (RFC 2704 section 5), and what decided it. */
import type { Assertion } from './assertion.ts';
import { Delegation, type SignatureCheck } from './delegation.ts';
import { type Action, Environment } from './environment.ts';
import { decisionText, traceTexts, weaknesses } from './explanation.ts';
import { LOCAL_STEPS_PER_ASSERTION, QUERY_STEPS, WorkExceeded } from './limits.ts';
import type { Policy } from './policy.ts';
import { type SignatureVerdict, verifySignature } from './signatures.ts';

export interface Query extends Action {
  readonly policy: Policy;
  /** What somebody else vouches for: counted with a correct signature only. */
  readonly credentials: readonly Assertion[];
  /** Remembers verdicts from query to query; see rememberSignatures. */
  readonly checkSignature: SignatureCheck;
  /** What the credentials may cost, default QUERY_STEPS. */
  readonly steps?: number;
}

export interface QueryResult {
  /** One of the query's compliance values. */
  readonly value: string;
  /** Which assertion and which condition decided, in words, without secrets. */
  readonly decision: string;
  /** A line for each assertion that was looked at, those that license who asks first; not more than 32. */
  readonly trace: readonly string[];
  /** What is weak about the credentials that counted. */
  readonly warnings: readonly string[];
}

/** A query that costs more than it may has the lowest value, and its decision says so. */
export const query = (request: Query): QueryResult => {
  const steps = request.steps ?? QUERY_STEPS;
  const environment = new Environment(request, {
    local: QUERY_STEPS + request.policy.size * LOCAL_STEPS_PER_ASSERTION,
    foreign: steps,
  });
  const delegation = new Delegation(request, environment);
  const lowest = request.values[0] ?? '';
  let value = lowest;
  let excess: string | undefined;
  try {
    value = request.values[delegation.evaluate()] ?? lowest;
  } catch (fault) {
    if (!(fault instanceof WorkExceeded)) throw fault;
    excess = fault.message;
  }
  const evaluated = {
    considered: delegation.considered,
    credentials: request.credentials,
    hasRoot: request.policy.hasRoot,
    environment,
  };
  return {
    value,
    decision: decisionText(evaluated, value, excess),
    trace: traceTexts(evaluated),
    warnings: weaknesses(evaluated),
  };
};

/** Verdicts on credentials of a peer (or, `isLocal`, of the operator), made once for each. */
export const rememberSignatures = (isLocal: boolean): SignatureCheck => {
  const known = new Map<string, SignatureVerdict>();
  return (signedText, authorizer, signature) => {
    const key = JSON.stringify([authorizer, signature, signedText]);
    const verdict = known.get(key) ?? verifySignature(signedText, authorizer, signature, isLocal);
    if (known.size >= MOST_REMEMBERED) known.clear();
    known.set(key, verdict);
    return verdict;
  };
};

const MOST_REMEMBERED = 64;
