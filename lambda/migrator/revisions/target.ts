// The meaning of a target: Alembic's words for a place in the chain, relative to the current revision.

import { BackstopError } from '../model/errors.ts';
import { BASE, type RevisionId } from '../model/report.ts';
import { type Chain, describeChain, idAt, position, unknownRevision } from './chain.ts';

/**
 * The revision that a target means.
 *
 * @param target `head`, `heads`, `base`, a revision or a unique start of one, `+N` or `-N` from `current`, a revision
 *   with `+N` or `-N` behind it; and any of these behind the label of the chain's branch: `auth@head`
 * @throws UnknownRevision if the target means no revision, or more than one
 * @throws InvalidInput if `+N` or `-N` leads beyond the chain
 */
export function resolveTarget(chain: Chain, current: RevisionId, target: string): RevisionId {
  const { label, symbol } = parseTarget(target);
  if (label !== undefined && label !== chain.branch) throw noBranch(chain, label);
  // The id of a revision may itself end like a relative target, such as `+1`.
  if (chain.revisions.some(({ id }) => id === symbol)) return symbol;
  const [, start = '', steps] = /^(.*?)([+-]\d+)$/.exec(symbol) ?? [];
  if (steps === undefined) return resolveSymbol(chain, symbol);
  return walk(chain, start === '' ? current : resolveSymbol(chain, start), Number(steps), target);
}

/** `auth@+2` is `+2` on the branch `auth`. */
export function parseTarget(target: string): { readonly label: string | undefined; readonly symbol: string } {
  const at = target.indexOf('@');
  return at < 0
    ? { label: undefined, symbol: target }
    : { label: target.slice(0, at), symbol: target.slice(at + 1) };
}

function resolveSymbol(chain: Chain, symbol: string): RevisionId {
  if (symbol === 'head' || symbol === 'heads') return chain.head;
  if (symbol === BASE || symbol === `<${BASE}>`) return BASE;
  if (chain.revisions.some(({ id }) => id === symbol)) return symbol;
  const matches = symbol === '' ? [] : chain.revisions.filter(({ id }) => id.startsWith(symbol));
  if (matches.length > 1) {
    throw new BackstopError('UnknownRevision', {
      message: `Multiple revisions start with '${symbol}': ${matches.map(({ id }) => id).join(', ')}`,
      hint: 'Give more of its characters.',
    });
  }
  if (!matches[0]) throw unknownRevision(chain, symbol);
  return matches[0].id;
}

function walk(chain: Chain, from: RevisionId, steps: number, target: string): RevisionId {
  const count = position(chain, from) + steps;
  if (count < 0 || count > chain.revisions.length) {
    throw new BackstopError('InvalidInput', {
      message: `Relative revision ${target} didn't produce ${Math.abs(steps)} migrations`,
      detail: `It is counted from ${from}; the chain is ${describeChain(chain)}.`,
      hint: `Use ${steps > 0 ? 'head' : BASE}, or a smaller number.`,
    });
  }
  return idAt(chain, count);
}

function noBranch({ branch }: Chain, label: string): BackstopError {
  return new BackstopError('UnknownRevision', {
    message: `No such branch: '${label}'`,
    detail:
      branch === undefined
        ? 'The revisions of this database have no branch label.'
        : `The branch of this database is '${branch}'.`,
    hint:
      branch === undefined
        ? 'Leave out the label before the @.'
        : `Write ${branch}@, or nothing before the target.`,
  });
}
