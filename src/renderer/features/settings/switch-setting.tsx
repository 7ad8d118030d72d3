import { Switch } from '@mantine/core'
import { useWindow } from '../../state/store-context.ts'
import { Setting } from './setting.tsx'

interface SwitchSettingProps {
  readonly choice: 'notifySuccess' | 'notifyFailure' | 'startAtLogin'
  readonly label: string
  readonly text: string
  readonly checked: boolean
  readonly disabled?: boolean
}

export function SwitchSetting({ choice, label, text, checked, disabled = false }: SwitchSettingProps) {
  const change = useWindow((state) => state.changeSettings)
  const id = `setting-${choice}`
  return (
    <Setting choice={choice} label={label} text={text} id={id}>
      <Switch
        id={id}
        aria-describedby={`${id}-text`}
        checked={checked}
        disabled={disabled}
        onChange={({ currentTarget }) => void change({ [choice]: currentTarget.checked })}
      />
    </Setting>
  )
}
