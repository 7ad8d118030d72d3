import { rmSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { PolicyListing, PolicyState } from '../../../shared/views/policy-view.ts'
import { forgetLines, keepLines, readKeptNow, type KeptLimits } from '../settings/kept-lines.ts'

/** A large host has some ten schedules, and a last run of hundreds of VMs for each: 600 KB, packed a tenth of that. */
const LIMITS: KeptLimits = { packedBytes: 1 << 20, plainBytes: 2 << 20 }

export interface KnownPolicies {
  readonly asOf: string
  readonly listing: PolicyListing
}

const Item = z.array(z.unknown()).optional()
const Line = z.union([
  z.strictObject({ about: z.looseObject({ leftOut: z.number().optional() }), policies: z.number() }),
  z.strictObject({ policy: PolicyState }),
  z.strictObject({ of: z.string(), lastRun: PolicyState.shape.lastRun }),
  z.strictObject({ broken: Item, outbox: Item })
])

/** What a host last said of its policies: what they promise counts also while it does not answer. */
export function knownPolicies(folder: string, host: string): KnownPolicies | undefined {
  const gathered = new Gathered()
  try {
    const kept = readKeptNow(fileFor(folder, host), LIMITS, (value) => gathered.take(value))
    return kept && { asOf: kept.at, listing: gathered.listing() }
  } catch {
    return undefined
  }
}

class Gathered {
  private about: Readonly<Record<string, unknown>> | undefined
  /** How many there were, also those that there was no room for. */
  private count = 0
  private leftOut = 0
  private readonly policies = new Map<string, PolicyState>()
  private readonly broken: unknown[] = []
  private readonly outbox: unknown[] = []

  take(value: unknown): void {
    const line = Line.parse(value)
    if ('about' in line) {
      const { leftOut = 0, ...about } = line.about
      this.about = about
      this.count = line.policies
      this.leftOut = leftOut
    } else if ('policy' in line) this.policies.set(line.policy.policy.id, line.policy)
    else if ('of' in line) this.ran(line.of, line.lastRun)
    else {
      this.broken.push(...(line.broken ?? []))
      this.outbox.push(...(line.outbox ?? []))
    }
  }

  listing(): PolicyListing {
    const policies = [...this.policies.values()]
    const leftOut = this.leftOut + this.count - policies.length
    const { broken, outbox } = this
    return PolicyListing.parse({ ...this.about, policies, broken, outbox, ...(leftOut > 0 && { leftOut }) })
  }

  private ran(id: string, lastRun: PolicyState['lastRun']): void {
    const state = this.policies.get(id)
    if (state !== undefined) this.policies.set(id, { ...state, lastRun })
  }
}

/** Best effort: settings that cannot be written must not keep policies from being shown. */
export async function rememberPolicies(folder: string, host: string, listing: PolicyListing): Promise<void> {
  try {
    await keepLines(
      fileFor(folder, host),
      () => linesOf(listing),
      () => LIMITS
    )
    rmSync(formerFileFor(folder, host), { force: true })
  } catch {
    // asked for again the next time
  }
}

/** What they promise first: how the last runs went is in the history too. */
function* linesOf({ policies, broken, outbox, ...about }: PolicyListing): Generator<string> {
  yield JSON.stringify({ about, policies: policies.length })
  for (const { lastRun: _, ...policy } of policies) yield JSON.stringify({ policy })
  for (const { policy, lastRun } of policies)
    if (lastRun !== undefined) yield JSON.stringify({ of: policy.id, lastRun })
  for (const each of outbox) yield JSON.stringify({ outbox: [each] })
  for (const each of broken) yield JSON.stringify({ broken: [each] })
}

export function forgetPolicies(folder: string, host: string): void {
  forgetLines(fileFor(folder, host))
  rmSync(formerFileFor(folder, host), { force: true })
}

const fileFor = (folder: string, host: string): string => join(folder, 'policies', `${host}.jsonl.gz`)
/** Of Stillpoints before 1.0; what it says is asked for again. */
const formerFileFor = (folder: string, host: string): string => join(folder, 'policies', `${host}.json`)
