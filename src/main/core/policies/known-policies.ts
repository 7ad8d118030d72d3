import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as z from 'zod'
import { PolicyListing } from '../../../shared/views/policy-view.ts'

const KnownPolicies = z.object({ asOf: z.iso.datetime(), listing: PolicyListing })
export type KnownPolicies = z.infer<typeof KnownPolicies>

/** What a host last said of its policies: what they promise counts also while it does not answer. */
export function knownPolicies(folder: string, host: string): KnownPolicies | undefined {
  try {
    return KnownPolicies.parse(JSON.parse(readFileSync(fileFor(folder, host), 'utf8')))
  } catch {
    return undefined
  }
}

/** Best effort: settings that cannot be written must not keep policies from being shown. */
export function rememberPolicies(folder: string, host: string, known: KnownPolicies): void {
  const file = fileFor(folder, host)
  try {
    mkdirSync(join(folder, 'policies'), { recursive: true, mode: 0o700 })
    writeFileSync(`${file}.new`, JSON.stringify(known), { mode: 0o600 })
    renameSync(`${file}.new`, file)
  } catch {
    // asked for again the next time
  }
}

export function forgetPolicies(folder: string, host: string): void {
  rmSync(fileFor(folder, host), { force: true })
}

const fileFor = (folder: string, host: string): string => join(folder, 'policies', `${host}.json`)
