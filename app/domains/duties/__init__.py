"""What is asked of organizations and how they are judged: visits, tasks and the reports on them, assessments."""
