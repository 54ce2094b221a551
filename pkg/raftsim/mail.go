package raftsim

import "github.com/opsctl/opsctl/pkg/raftsim/core"

// mail are the messages under way, by numbers that are used again.
type mail struct {
	messages []*core.Message
	free     []uint64
}

func (m *mail) put(message *core.Message) (number uint64) {
	if last := len(m.free) - 1; last >= 0 {
		number, m.free = m.free[last], m.free[:last]
		m.messages[number] = message
		return number
	}
	m.messages = append(m.messages, message)
	return uint64(len(m.messages) - 1)
}

func (m *mail) at(number uint64) *core.Message { return m.messages[number] }

// take is at of a message that is not under way any more.
func (m *mail) take(number uint64) *core.Message {
	message := m.messages[number]
	m.messages[number] = nil
	m.free = append(m.free, number)
	return message
}
