/** What an operator should hear about the configuration, and where it is. */
import { ConfigError, type ConfigPlace } from '../errors.ts';

/** 'error': something written has no effect or cannot be used; 'warning': it is odd, weak, or read with good will. */
export interface Finding {
  readonly severity: 'error' | 'warning';
  /** A sentence that names section and tag itself. */
  readonly text: string;
  readonly place: ConfigPlace;
}

/** `[section]:tag`, or `[section]` for what concerns all of it. */
export const placeText = ({ section, tag }: ConfigPlace): string =>
  tag === undefined ? `[${section}]` : `[${section}]:${tag}`;

/** A place; without tag it is the whole section. */
export const placeOf = (section: string, tag?: string): ConfigPlace => ({ section, tag });

/** A warning whose text goes on after its place. */
export const warningAt = (place: ConfigPlace, text: string): Finding => ({
  severity: 'warning',
  text: `${placeText(place)} ${text}`,
  place,
});

/** The fault of a place, to be thrown. */
export const faultAt = (place: ConfigPlace, text: string): ConfigError =>
  new ConfigError(`${placeText(place)} ${text}`, place);

/** A fault that was caught, at `place` where it names none itself. */
export const findingOf = ({ message, place }: ConfigError, otherwise: ConfigPlace): Finding => ({
  severity: 'error',
  text: message,
  place: place ?? otherwise,
});
