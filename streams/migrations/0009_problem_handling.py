import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("streams", "0008_minutes"),
    ]

    operations = [
        migrations.AddField(
            model_name="problem",
            name="resolved_by",
            field=models.CharField(blank=True, db_default="", max_length=150),
        ),
        migrations.AddField(
            model_name="problem",
            name="assignee",
            field=models.CharField(blank=True, db_default="", max_length=150),
        ),
        migrations.AddField(
            model_name="problem",
            name="acknowledged_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="problem",
            name="ignored_until",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name="problem",
            name="ignored_count",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="problem",
            name="regressed_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.CreateModel(
            name="ProblemEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("at", models.DateTimeField()),
                ("who", models.CharField(blank=True, max_length=150)),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("regressed", "Seen again"),
                            ("acknowledged", "Acknowledged"),
                            ("resolved", "Resolved"),
                            ("ignored", "Ignored"),
                            ("reopened", "Opened again"),
                        ],
                        max_length=20,
                    ),
                ),
                ("note", models.TextField(blank=True)),
                (
                    "problem",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="events",
                        to="streams.problem",
                    ),
                ),
            ],
            options={"ordering": ["-at", "-id"]},
        ),
        migrations.AddIndex(
            model_name="problem",
            index=models.Index(fields=["last_seen", "id"], name="problem_newest"),
        ),
        migrations.AddIndex(
            model_name="problemevent",
            index=models.Index(fields=["problem", "at"], name="problem_event_newest"),
        ),
        migrations.AddIndex(
            model_name="poisonrecord",
            index=models.Index(
                condition=models.Q(("outcome", "")),
                fields=["problem", "id"],
                name="poison_waiting",
            ),
        ),
    ]
