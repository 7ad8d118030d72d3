import { NativeSelect, Text } from '@mantine/core'
import { OnBusy } from '../../../shared/model/job.ts'
import type { Choices } from '../../../shared/views/settings-view.ts'
import { useWindow } from '../../state/store-context.ts'
import { Panel } from '../../ui/panel.tsx'
import { Setting } from './setting.tsx'
import { ageWords, typedBudget, typedHours, typedStore } from './settings-view.ts'
import { TextSetting } from './text-setting.tsx'
import { words } from './words.ts'

export function BackupsPanel({ choices }: { readonly choices: Choices }) {
  const { store, budget, expect } = words
  return (
    <Panel title={words.backups}>
      <TextSetting
        choice="expectEveryHours"
        label={expect.label}
        text={expect.text(ageWords(choices.expectEveryHours))}
        value={String(choices.expectEveryHours)}
        read={typedHours}
        changeOf={(expectEveryHours) => ({ expectEveryHours })}
        unit={<Unit text={expect.unit} />}
        isNumber
      />
      <TextSetting
        choice="defaultBudgetMs"
        label={budget.label}
        text={budget.text}
        value={String(choices.defaultBudgetMs)}
        read={typedBudget}
        changeOf={(defaultBudgetMs) => ({ defaultBudgetMs })}
        unit={<Unit text={budget.unit} />}
        isNumber
      />
      <Busy value={choices.defaultOnBusy} />
      <TextSetting
        choice="defaultStore"
        label={store.label}
        text={store.text}
        value={choices.defaultStore ?? ''}
        read={typedStore}
        changeOf={(defaultStore) => ({ defaultStore })}
        placeholder={store.placeholder}
      />
    </Panel>
  )
}

const Unit = ({ text }: { readonly text: string }) => (
  <Text size="sm" c="dimmed">
    {text}
  </Text>
)

function Busy({ value }: { readonly value: OnBusy }) {
  const change = useWindow((state) => state.changeSettings)
  const { label, text } = words.busy
  const id = 'setting-defaultOnBusy'
  return (
    <Setting choice="defaultOnBusy" label={label} text={text} id={id}>
      <NativeSelect
        id={id}
        value={value}
        data={OnBusy.options.map((option) => ({ value: option, label: words.busy[option] }))}
        onChange={({ currentTarget }) => void change({ defaultOnBusy: currentTarget.value as OnBusy })}
      />
    </Setting>
  )
}
