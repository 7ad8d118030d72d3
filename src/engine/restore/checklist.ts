import { fail, type Failure } from '../../shared/failure.ts'
import type { OfferedChoice, PreflightItem } from '../../shared/engine-protocol.ts'
import { flagText } from '../../shared/model/restore-choice.ts'
import { quoted } from '../../shared/quoted.ts'

/** Something that the definition asks for and that this host does not give. */
export interface Unmet {
  readonly text: string
  /** What to do on the host. */
  readonly fix: string
  readonly choices?: readonly OfferedChoice[]
}

/** Also where there is nothing but text: the arguments that are an answer. */
function wayRound({ fix = '', choices = [] }: PreflightItem): string {
  if (choices.length === 0) return fix
  const flags = `restore with ${choices.map(({ choice }) => flagText(choice)).join(' or ')}`
  return fix === '' ? flags : `${fix}; or ${flags}`
}

/** With what can be done about it, for a restore that goes ahead all the same. */
export function inWords(item: PreflightItem): string {
  const way = wayRound(item)
  return way === '' ? item.text : `${item.text}; ${way}`
}

/** What a restore was checked for. A restore that goes ahead has no problem among its items; a preview shows all. */
export class Checklist {
  readonly items: PreflightItem[] = []
  private first: Failure | undefined

  ok(check: string, text: string): void {
    this.items.push({ check, state: 'ok', text })
  }

  /** What two definitions of a VM both give reason to say is said once. */
  warning(check: string, text: string, more: Partial<Omit<PreflightItem, 'check' | 'state' | 'text'>> = {}): void {
    if (this.items.some((item) => item.state === 'warning' && item.text === text)) return
    this.items.push({ check, state: 'warning', text, ...more })
  }

  /** `failure` is what the restore ends with if it is the only problem. */
  problem(check: string, text: string, fix: string, failure?: Failure, vm?: PreflightItem['vm']): void {
    this.items.push({ check, state: 'problem', text, fix, ...(vm && { vm }) })
    this.first ??= failure
  }

  /** Something that the point wants of this host and that nobody has allowed: `item` is its name for `--allow`. */
  refused(text: string, item: string): void {
    const fix = `restore with --allow ${quoted(item)} if you trust the point with that`
    this.items.push({ check: 'not allowed', state: 'problem', text, fix, allow: item })
  }

  /** What is not here, or taken, and what can be chosen instead. `blocks`: the restore would fail by it. */
  unmet(check: string, blocks: boolean, { text, fix, choices = [] }: Unmet): void {
    if (this.items.some((item) => item.check === check && item.text === text)) return
    const state = blocks ? 'problem' : 'warning'
    this.items.push({ check, state, text, fix, ...(choices.length > 0 && { choices: [...choices] }) })
  }

  get problems(): PreflightItem[] {
    return this.items.filter(({ state }) => state === 'problem')
  }

  /** @throws what stands in the way: the one failure if it is one, else `preflight` with all of them. */
  requireNoProblem(): void {
    const { problems } = this
    if (problems.length === 1 && this.first !== undefined) fail(this.first)
    if (problems.length > 0)
      fail({ kind: 'preflight', problems: problems.map((item) => ({ text: item.text, fix: wayRound(item) })) })
  }
}
