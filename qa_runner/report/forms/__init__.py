"""The other forms of a report, from the same stored run: for machines, mails and spreadsheets."""
