import type { JobReport, JobSpec } from '../../../shared/model/job.ts'
import { mergeChoices, RestoreChoice } from '../../../shared/model/restore-choice.ts'
import type { SettingsFile } from '../settings/settings-file.ts'
import type { Settings } from '../settings/settings-schema.ts'

/** More than anybody types; the oldest go first. */
const MOST = 200

/** What was chosen at restores to this host. What cannot be understood counts as not chosen, and hides no other. */
export function rememberedChoices(settings: Settings, host: string): RestoreChoice[] {
  const { restoreChoices = [] } = settings.hosts.find(({ name }) => name === host) ?? {}
  return restoreChoices.flatMap((each) => RestoreChoice.safeParse(each).data ?? []).filter(isOfHost)
}

/** Of the one VM is how much RAM it has, where a disk of it lies, and what it goes without. */
const isOfHost = (choice: RestoreChoice): boolean =>
  choice.kind !== 'memory' &&
  choice.kind !== 'disk-dir' &&
  choice.kind !== 'drop' &&
  !('to' in choice && choice.to === 'none')

/** What led to a VM that is there again is an answer for the next one too; nobody knows what becomes of any other. */
export function rememberWhatWorked(settings: SettingsFile, spec: JobSpec, { state, host }: JobReport): void {
  const isWell = state === 'done' || state === 'done-with-warnings'
  if (spec.kind === 'restore' && isWell) rememberChoices(settings, host, spec.choices ?? [])
}

/** For the next restore to this host. */
export function rememberChoices(settings: SettingsFile, host: string, all: readonly RestoreChoice[]): void {
  const chosen = all.filter(isOfHost)
  if (chosen.length === 0) return
  settings.update((before) => ({
    ...before,
    hosts: before.hosts.map((record) =>
      record.name === host
        ? { ...record, restoreChoices: mergeChoices(rememberedChoices(before, host), chosen).slice(-MOST) }
        : record
    )
  }))
}
