import { mergeChoices, RestoreChoice } from '../../../shared/model/restore-choice.ts'
import type { SettingsFile } from '../settings/settings-file.ts'
import type { Settings } from '../settings/settings-schema.ts'

/** More than anybody types; the oldest go first. */
const MOST = 200

/** What was chosen at restores to this host. What cannot be understood counts as not chosen, and hides no other. */
export function rememberedChoices(settings: Settings, host: string): RestoreChoice[] {
  const { restoreChoices = [] } = settings.hosts.find(({ name }) => name === host) ?? {}
  return restoreChoices.flatMap((each) => RestoreChoice.safeParse(each).data ?? [])
}

/** For the next restore to this host. */
export function rememberChoices(settings: SettingsFile, host: string, chosen: readonly RestoreChoice[]): void {
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
