import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { readFile, rm } from 'node:fs/promises'
import { fail, failureOf } from '../../shared/failure.ts'
import { describeFailure } from '../../shared/failure-words.ts'
import { POLICIES_DIR, policyPath } from '../../shared/host-paths.ts'
import { Policy, PolicyId } from '../../shared/model/policy.ts'
import { syncDir, writeDurably } from '../../store/durable.ts'

/** @throws `not-found` if there is none of that id, `bad-output` if its file cannot be understood. */
export async function readPolicy(id: string): Promise<Policy> {
  const path = policyPath(id)
  const text = await readFile(path, 'utf8').catch(() => fail({ kind: 'not-found', what: 'policy', name: id }))
  const policy = Policy.safeParse(parse(text))
  if (!policy.success) return fail({ kind: 'bad-output', what: path, detail: policy.error.message })
  return policy.data.id === id
    ? policy.data
    : fail({ kind: 'bad-output', what: path, detail: `it calls itself ${policy.data.id}` })
}

export const isPolicyThere = (id: string): boolean => existsSync(policyPath(id))

/** All of it or nothing, also after a power cut. Only root reads it: hooks may hold secrets. */
export async function writePolicy(policy: Policy): Promise<void> {
  mkdirSync(POLICIES_DIR, { recursive: true, mode: 0o700 })
  await writeDurably(policyPath(policy.id), Buffer.from(JSON.stringify(policy, undefined, 2)))
}

export async function removePolicyFile(id: string): Promise<void> {
  await rm(policyPath(id), { force: true })
  if (existsSync(POLICIES_DIR)) await syncDir(POLICIES_DIR)
}

export interface PolicyFiles {
  readonly policies: readonly Policy[]
  readonly broken: readonly { readonly path: string; readonly reason: string }[]
}

/** All policies of this host by name, and the files that are none. */
export async function policyFiles(): Promise<PolicyFiles> {
  const policies: Policy[] = []
  const broken: { path: string; reason: string }[] = []
  for (const name of policyFileNames()) {
    const id = PolicyId.safeParse(name.slice(0, -'.json'.length)).data
    if (id === undefined) broken.push({ path: `${POLICIES_DIR}/${name}`, reason: 'its name is no id of a policy' })
    else
      await readPolicy(id).then(
        (policy) => policies.push(policy),
        (error: unknown) => broken.push({ path: policyPath(id), reason: reasonOf(error) })
      )
  }
  return { policies: policies.sort((a, b) => a.name.localeCompare(b.name)), broken }
}

const policyFileNames = (): string[] =>
  existsSync(POLICIES_DIR) ? readdirSync(POLICIES_DIR).filter((name) => name.endsWith('.json')) : []

const reasonOf = (error: unknown): string => describeFailure(failureOf(error)).explanation.slice(0, 1000)

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
