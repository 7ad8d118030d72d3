import type { Choices } from '../../../shared/views/settings-view.ts'
import { Panel } from '../../ui/panel.tsx'
import { SwitchSetting } from './switch-setting.tsx'
import { words } from './words.ts'

export function NoticesPanel({ choices }: { readonly choices: Choices }) {
  return (
    <Panel title={words.notices}>
      <SwitchSetting choice="notifyFailure" {...words.failure} checked={choices.notifyFailure} />
      <SwitchSetting choice="notifySuccess" {...words.success} checked={choices.notifySuccess} />
    </Panel>
  )
}
