import { TextInput } from '@mantine/core'

interface TimeFieldProps {
  readonly label: string
  /** `HH:MM`, or empty. */
  readonly value: string
  readonly problem: string | undefined
  readonly onChange: (time: string) => void
}

export const TimeField = ({ label, value, problem, onChange }: TimeFieldProps) => (
  <TextInput
    type="time"
    label={label}
    value={value}
    error={problem}
    onChange={({ currentTarget }) => onChange(currentTarget.value)}
  />
)
