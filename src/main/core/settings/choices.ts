import { Choices, DEFAULT_CHOICES, withChange, type ChoicesChange } from '../../../shared/views/settings-view.ts'
import type { SettingsFile } from './settings-file.ts'

/** What the operator chose. A choice that cannot be understood counts as not made, and hides no other. */
export function readChoices(settings: SettingsFile): Choices {
  const kept = settings.read().choices ?? {}
  return Object.entries(kept).reduce<Choices>((choices, [name, value]) => {
    const tried = Choices.safeParse({ ...choices, [name]: value })
    return tried.success ? tried.data : choices
  }, DEFAULT_CHOICES)
}

/** @throws `io` if the settings cannot be written: they are then as before. */
export function changeChoices(settings: SettingsFile, change: ChoicesChange): Choices {
  const choices = withChange(readChoices(settings), change)
  settings.update((before) => ({ ...before, choices }))
  return choices
}
