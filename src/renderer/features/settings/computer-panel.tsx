import { NativeSelect, SegmentedControl } from '@mantine/core'
import type { AppInfo } from '../../../shared/contract.ts'
import type { Choices } from '../../../shared/views/settings-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { Panel } from '../../ui/panel.tsx'
import { Setting } from './setting.tsx'
import { SwitchSetting } from './switch-setting.tsx'
import { words } from './words.ts'

export function ComputerPanel({ choices }: { readonly choices: Choices }) {
  const info = useWindow((state) => state.info)
  return (
    <Panel title={words.computer}>
      <Appearance value={choices.appearance} />
      <SwitchSetting
        choice="startAtLogin"
        label={words.login.label}
        text={loginText(info)}
        checked={choices.startAtLogin}
        disabled={info?.canStartAtLogin !== true}
      />
      {info?.door === 'desktop' && <OnClose value={choices.onClose} hasTray={info.hasTray} />}
    </Panel>
  )
}

function loginText(info: AppInfo | undefined): string {
  if (info === undefined || info.canStartAtLogin) return words.login.text
  return info.door === 'browser' ? words.login.browser : words.login.impossible
}

function Appearance({ value }: { readonly value: Choices['appearance'] }) {
  const change = useWindow((state) => state.changeSettings)
  const { label, text, system, light, dark } = words.appearance
  const id = 'setting-appearance'
  return (
    <Setting choice="appearance" label={label} text={text} id={id}>
      <SegmentedControl
        id={id}
        aria-labelledby={`${id}-label`}
        value={value}
        data={[
          { value: 'system', label: system },
          { value: 'light', label: light },
          { value: 'dark', label: dark }
        ]}
        onChange={(appearance) => void change({ appearance })}
      />
    </Setting>
  )
}

interface OnCloseProps {
  readonly value: Choices['onClose']
  readonly hasTray: boolean
}

/** Without a tray there is nowhere to stay, so there is nothing to choose. */
function OnClose({ value, hasTray }: OnCloseProps) {
  const change = useWindow((state) => state.changeSettings)
  const { label, text, noTray, ask, tray, quit } = words.close
  const id = 'setting-onClose'
  return (
    <Setting choice="onClose" label={label} text={hasTray ? text : noTray} id={id}>
      <NativeSelect
        id={id}
        aria-describedby={`${id}-text`}
        disabled={!hasTray}
        value={hasTray ? value : 'quit'}
        data={[
          { value: 'ask', label: ask },
          { value: 'tray', label: tray },
          { value: 'quit', label: quit }
        ]}
        onChange={({ currentTarget }) => void change({ onClose: currentTarget.value as Choices['onClose'] })}
      />
    </Setting>
  )
}
