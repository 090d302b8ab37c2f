/** RESPONDER-LIFETIME inside quick mode, RFC 2407 §4.6.3.1: the responder keeps the SA for less time than was offered. */
import { IpsecAttribute } from '../../constants/ipsec-doi.ts';
import { Doi, NotifyType } from '../../constants/isakmp.ts';
import { LifeType } from '../../constants/oakley.ts';
import { ProtocolError } from '../../errors.ts';
import type { Phase2Choice } from '../../policy/phase2-fit.ts';
import { spiBytes } from '../../policy/spi.ts';
import { type OfferedLifetime, readAttributes } from '../../policy/transform-attributes.ts';
import type { Agreement } from '../../threads/contract.ts';
import type { OutPayload } from '../../wire/message.ts';
import { durationAttribute, readAttributeList, writeAttributeList } from '../../wire/payloads.ts';
import type { Inbound } from '../inbound.ts';

/** Responder: one notify for each protocol, with our inbound SPI. */
export const responderLifetimePayload = ({ protocols, lifeSeconds, lifeKilobytes }: Agreement): readonly OutPayload[] =>
  protocols.map(({ protocolId, spiIn }) => ({
    kind: 'NOTIFY',
    value: {
      doi: Doi.IPSEC,
      protocolId,
      notifyType: NotifyType.RESPONDER_LIFETIME,
      spi: spiBytes(spiIn),
      notificationData: writeAttributeList([
        { type: IpsecAttribute.LIFE_TYPE, value: LifeType.SECONDS },
        durationAttribute(IpsecAttribute.LIFE_DURATION, lifeSeconds),
        ...(lifeKilobytes === 0
          ? []
          : [
              { type: IpsecAttribute.LIFE_TYPE, value: LifeType.KILOBYTES },
              durationAttribute(IpsecAttribute.LIFE_DURATION, lifeKilobytes),
            ]),
      ]),
    },
  }));

/**
 * Initiator: what the responder says shortens what was agreed, never lengthens it. The message's hash has been checked. Throws for a
 * life shorter than `least` (seconds), as for an offer of it.
 */
export const withResponderLifetime = (choice: Phase2Choice, least: number, message: Inbound): Phase2Choice => {
  let { seconds, kilobytes } = choice.lifetimes;
  for (const { type, duration } of responderLifetimes(message)) {
    if (type === LifeType.KILOBYTES) kilobytes = shorter(kilobytes, duration);
    else if (type === LifeType.SECONDS && duration >= least) seconds = Math.min(seconds, duration);
    else if (type === LifeType.SECONDS) {
      const text = `RESPONDER-LIFETIME: got ${duration} seconds, expected ${least} at least; let the LIFE_DURATION of the connection's suites begin lower to accept it, or the peer keep its SAs for longer`;
      throw new ProtocolError(NotifyType.NO_PROPOSAL_CHOSEN, text);
    }
  }
  return { ...choice, lifetimes: { ...choice.lifetimes, seconds, kilobytes } };
};

const responderLifetimes = ({ notifies }: Inbound): readonly OfferedLifetime[] =>
  notifies
    .filter(({ value }) => value.notifyType === NotifyType.RESPONDER_LIFETIME)
    .flatMap(({ value }) => readAttributes(readAttributeList(value.notificationData), IpsecAttribute).lifetimes)
    .filter(({ duration }) => duration > 0);

/** 0 means that there is no such limit. */
const shorter = (a: number, b: number): number => (a === 0 ? b : Math.min(a, b));
