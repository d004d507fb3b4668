"""Performance targets of projects paid from the budget (财政项目支出绩效目标)."""
