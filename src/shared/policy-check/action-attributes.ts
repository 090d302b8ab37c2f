/** The action attributes of isakmpd.policy(5): what a quick mode is about, as conditions of a KeyNote policy see it. Names that there are none of have the value ''. */
import type { PeerAction, QuickModeAction } from './action.ts';
import { ACTION_ATTRIBUTES } from './attribute-table.ts';

/** The value of an attribute by its name. */
export const attributesOf =
  (action: QuickModeAction) =>
  (name: string): string =>
    BY_NAME.get(name)?.value(action) ?? '';

/** The same in phase 1; undefined where quick mode is going to tell. */
export const attributesInPhase1 =
  (action: PeerAction) =>
  (name: string): string | undefined => {
    const attribute = BY_NAME.get(name);
    if (attribute === undefined) return '';
    return attribute.since === 'phase 1' ? attribute.value(action) : undefined;
  };

const BY_NAME = new Map(ACTION_ATTRIBUTES.map((attribute) => [attribute.name, attribute]));
